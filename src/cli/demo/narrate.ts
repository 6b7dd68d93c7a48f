/** Tells the story in a few lines a step. */
import type { Service } from '../../main.ts'
import type { StoryResult } from './story.ts'

export class Narrator {
  readonly #told: boolean
  #step = 0

  constructor(mode: 'told' | 'silent') {
    this.#told = mode === 'told'
  }

  /** A new step of the story. */
  step(title: string): void {
    this.#step += 1
    this.#write(`\n${String(this.#step).padStart(2)}  ${title}`)
  }

  /** What came of it. */
  say(line: string): void {
    this.#write(`      ${line}`)
  }

  tellWhatToTry(service: Service, { buyer, seller, operator, summary, imageId }: StoryResult): void {
    const day = 'turnpike is still running; its clock stands until you move it.'
    this.#write(`
${'─'.repeat(100)}
The story is told; ${day}

  Pages      ${service.url}
             buyer     ${buyer.email}   password ${buyer.password}   → ${service.url}/billing
             seller    ${seller.email}   password ${seller.password}   → ${service.url}/seller
             operator  ${operator.email}   password ${operator.password}   → ${service.url}/operator
  Buy it     ${summary.purchaseUrl}

  As the buyer, with the AWS CLI:
    export AWS_ACCESS_KEY_ID=${buyer.accessKeyId} AWS_SECRET_ACCESS_KEY=${buyer.secretAccessKey} AWS_DEFAULT_REGION=us-east-1
    aws --endpoint-url ${service.url} ec2 describe-images --image-ids ${imageId}
    aws --endpoint-url ${service.url} ec2 run-instances --image-id ${imageId} --instance-type m1.small
    aws --endpoint-url ${service.url} ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name]' --output text

  As the operator:
    curl -u ${operator.accessKeyId}:${operator.secretAccessKey} ${service.url}/api/v1/proof
    npm run turnpike -- --data-folder ${service.config.dataFolder} clock advance +30d
    npm run turnpike -- --data-folder ${service.config.dataFolder} prove

Stop it with Ctrl-C; nothing is kept.`)
  }

  #write(text: string): void {
    if (this.#told) process.stdout.write(`${text}\n`)
  }
}
