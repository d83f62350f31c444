import fc, * as named from 'fast-check';

const isWide = (text: string) => [...text].some((character) => character.codePointAt(0)! > 0xff);

test.each<[string, fc.Arbitrary<unknown>]>([
	['string', fc.string()],
	['string of a length', fc.string({ minLength: 1 })],
	['string by name', named.string()],
	['json', fc.json()],
	['jsonValue', fc.jsonValue()],
	['object', fc.object()],
	['anything', fc.anything()],
])('%s makes texts of all scripts', (_name, arbitrary) => {
	const texts = fc.sample(arbitrary, 100).map((value) => JSON.stringify(value) ?? '');
	expect(texts.filter(isWide).length).toBeGreaterThan(10);
});

test('a unit that a test names is kept', () => {
	expect(fc.sample(fc.string({ unit: 'grapheme-ascii' }), 100).filter(isWide)).toEqual([]);
});
