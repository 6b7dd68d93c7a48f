"""The EC2 part of the story with boto3, in two parts: before the purchase and after it.

Usage: boto3-story.py before|after <settings as JSON>. Prints what it saw as one JSON object.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError


def client_of(service, who, settings):
    return boto3.client(
        service,
        endpoint_url=settings["url"],
        region_name="us-east-1",
        aws_access_key_id=who["accessKeyId"],
        aws_secret_access_key=who["secretAccessKey"],
    )


def refusal(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        answer = error.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return {"code": answer["Error"]["Code"], "status": status, "message": answer["Error"]["Message"]}
    raise AssertionError("it was not refused")


def register(ec2, name):
    location = name + "/manifest.xml"
    return ec2.register_image(Name=name, ImageLocation=location, Architecture="x86_64")["ImageId"]


def launch_of(image_id, **changes):
    return {"ImageId": image_id, "InstanceType": "m1.small", "MinCount": 1, "MaxCount": 1, **changes}


def before(settings, seller, buyer):
    accounts = [
        client_of("sts", settings[who], settings).get_caller_identity()["Account"] for who in ("seller", "buyer")
    ]
    image_id = register(seller, "paid-by-boto3")
    seller.modify_image_attribute(ImageId=image_id, ProductCodes=[settings["productCode"]])
    not_shared = refusal(buyer.run_instances, **launch_of(image_id))
    permission = {"Add": [{"UserId": settings["buyer"]["accountId"]}]}
    seller.modify_image_attribute(ImageId=image_id, LaunchPermission=permission)
    return {
        "accounts": accounts,
        "imageId": image_id,
        "notShared": not_shared,
        "productCodes": buyer.describe_images(ImageIds=[image_id])["Images"][0]["ProductCodes"],
        "refused": refusal(buyer.run_instances, **launch_of(image_id)),
    }


def after(settings, seller, buyer):
    image_id, code = settings["imageId"], settings["productCode"]
    quick = {"Delay": 1, "MaxAttempts": 20}
    request = launch_of(image_id, ClientToken="boto3-launch")
    first, again = buyer.run_instances(**request), buyer.run_instances(**request)
    instance_id = first["Instances"][0]["InstanceId"]
    one = {"InstanceIds": [instance_id]}
    seen = {
        "repeated": again["Instances"][0]["InstanceId"] == instance_id,
        "mismatch": refusal(buyer.run_instances, **{**request, "InstanceType": "m1.large"})["code"],
    }
    buyer.get_waiter("instance_running").wait(**one, WaiterConfig=quick)
    found = buyer.describe_instances(Filters=[{"Name": "product-code", "Values": [code]}])
    seen["productCodes"] = found["Reservations"][0]["Instances"][0]["ProductCodes"]
    confirmed = seller.confirm_product_instance(InstanceId=instance_id, ProductCode=code)
    seen["confirmed"] = [confirmed["Return"], confirmed["OwnerId"]]
    buyer.stop_instances(**one)
    buyer.get_waiter("instance_stopped").wait(**one, WaiterConfig=quick)
    not_running = refusal(seller.confirm_product_instance, InstanceId=instance_id, ProductCode=code)
    seen["confirmStopped"] = not_running["code"]
    buyer.start_instances(**one)
    buyer.get_waiter("instance_running").wait(**one, WaiterConfig=quick)
    buyer.get_waiter("instance_status_ok").wait(**one, WaiterConfig=quick)
    buyer.terminate_instances(**one)
    buyer.get_waiter("instance_terminated").wait(**one, WaiterConfig=quick)

    own = register(buyer, "supported-by-boto3")
    buyer.modify_image_attribute(ImageId=own, ProductCodes=[code])
    supported = buyer.run_instances(**launch_of(own))
    seen["supported"] = supported["Instances"][0]["ProductCodes"]

    for _ in range(4):
        buyer.run_instances(**launch_of(image_id))
    pages = buyer.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    instances = [each["InstanceId"] for page in pages for group in page["Reservations"] for each in group["Instances"]]
    seen["paged"] = [len(instances), len(set(instances))]
    seen["errors"] = [
        refusal(buyer.run_instances, **launch_of("ami-00000000000000000"))["code"],
        refusal(buyer.describe_instances, InstanceIds=["i-00000000000000000"])["code"],
        refusal(buyer.run_instances, **launch_of(image_id, InstanceType="c1.medium"))["code"],
        refusal(buyer.run_instances, **launch_of(image_id, DryRun=True))["code"],
    ]
    return seen


def main():
    settings = json.loads(sys.argv[2])
    seller = client_of("ec2", settings["seller"], settings)
    buyer = client_of("ec2", settings["buyer"], settings)
    part = {"before": before, "after": after}[sys.argv[1]]
    print(json.dumps(part(settings, seller, buyer)))


main()
