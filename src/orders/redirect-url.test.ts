import { expect, test } from 'vitest'
import { redirectUrl } from './redirect-url.ts'

test.each([
  ['https://abc.example.com/', 'https://abc.example.com/?ActivationKey=AK&ProductCode=774F4FF8'],
  ['https://abc.example.com/in?lang=en', 'https://abc.example.com/in?lang=en&ActivationKey=AK&ProductCode=774F4FF8'],
  ['https://abc.example.com/in?', 'https://abc.example.com/in?ActivationKey=AK&ProductCode=774F4FF8'],
  ['https://abc.example.com/in?a=1&', 'https://abc.example.com/in?a=1&ActivationKey=AK&ProductCode=774F4FF8'],
  ['https://abc.example.com/in#top', 'https://abc.example.com/in?ActivationKey=AK&ProductCode=774F4FF8#top'],
  ['https://abc.example.com/in?a=1#x?y', 'https://abc.example.com/in?a=1&ActivationKey=AK&ProductCode=774F4FF8#x?y'],
])('%s', (page, expected) => {
  expect(redirectUrl(page, { activationKey: 'AK', productCode: '774F4FF8' })).toBe(expected)
})
