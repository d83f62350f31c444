import fc from 'fast-check';
import { parseJsonToSend, toExactNumber } from '../../../lib/values/exact-json';

describe('JSON that a user wrote, as it is sent', () => {
	it.each([
		['an ID', '{"id":9007199254740993}'],
		['a seed of 64 bits', '{"seed":18446744073709551615}'],
		['a negative number in lists', '[[-9007199254740993],{"a":[9007199254740995]}]'],
		['decimals', '{"n":0.12345678901234567890123}'],
		['a number beyond all numbers of JavaScript', '{"n":1e400}'],
		['400 digits', `{"n":${'7'.repeat(400)}}`],
		['digits in a text', '{"text":"9007199254740993, and \\"18446744073709551615\\""}'],
		['a name like a property of objects', '{"__proto__":{"n":9007199254740993}}'],
	])('%s keeps its digits', (_title, json) => {
		expect(JSON.stringify(parseJsonToSend(json))).toBe(json);
	});

	it('is undefined for anything else', () => {
		expect(
			['', '{', 'x', '{"n":01}', `${'['.repeat(600)}${']'.repeat(600)}`].map(parseJsonToSend),
		).toEqual(Array.from({ length: 5 }, () => undefined));
	});

	it('is the same as with JSON.parse, for values without such numbers', () => {
		fc.assert(
			fc.property(fc.json(), (json) => {
				expect(JSON.stringify(parseJsonToSend(json))).toBe(JSON.stringify(JSON.parse(json)));
			}),
		);
	});

	it('keeps each integer of any length', () => {
		fc.assert(
			fc.property(fc.array(fc.bigInt()), (integers) => {
				const json = `{"list":[${integers.join(',')}]}`;
				expect(JSON.stringify(parseJsonToSend(json))).toBe(json);
			}),
		);
	});
});

describe('a number to send', () => {
	it.each([
		['7', '7'],
		[' 9007199254740993 ', '9007199254740993'],
		['-18446744073709551616', '-18446744073709551616'],
		['-0', '0'],
		[0.5, '0.5'],
		[9007199254740991, '9007199254740991'],
	])('%j is sent as %s', (value, json) => {
		expect(JSON.stringify(toExactNumber(value))).toBe(json);
	});

	it.each(['', 'x', '1,5', undefined, null, {}, 'NaN'])('%j is none', (value) => {
		expect(toExactNumber(value)).toBeUndefined();
	});
});
