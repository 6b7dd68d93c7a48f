import { expect, test } from 'vitest'
import { compareModel, modelledActions } from '../../tools/generate-ec2-model.ts'
import { ec2Actions, ec2Operation } from './ec2-model.ts'

test('the generated files are what the generator writes from the installed SDK', async () => {
  for (const { file, expected, found } of await compareModel()) expect(found, file).toBe(expected)
})

test('every action links, and its structures that contain themselves too', () => {
  expect(ec2Actions).toEqual(modelledActions)
  for (const action of ec2Actions) expect(ec2Operation(action)?.input.kind).toBe('structure')
  expect(ec2Operation('__proto__')).toBeUndefined()
  expect(ec2Operation('toString')).toBeUndefined()
})

test('numbers in requests are whole: the only action parameters with fractions are in answers', () => {
  const run = ec2Operation('RunInstances')
  expect(run?.input.members.filter((member) => member.required).map((member) => member.name)).toEqual([
    'MaxCount',
    'MinCount',
  ])
  expect(run?.output?.members.find((member) => member.name === 'Instances')?.xmlName).toBe('instancesSet')
})
