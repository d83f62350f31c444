import fc from 'fast-check';
import { getOwn, setOwn } from '../../../lib/values/own-properties';

const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

test.each(NAMES)('%s is a name as any other', (name) => {
	const record: Record<string, unknown> = {};
	expect(getOwn(record, name)).toBeUndefined();
	setOwn(record, name, 'value');
	expect(getOwn(record, name)).toBe('value');
	expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
	expect(JSON.parse(JSON.stringify(record))).toEqual(JSON.parse(`{"${name}":"value"}`));
});

test('what was set under any name is found under this name only', () => {
	const names = fc.array(fc.oneof(fc.constantFrom(...NAMES), fc.string()));
	fc.assert(
		fc.property(names, (list) => {
			const record: Record<string, number> = {};
			list.forEach((name, index) => setOwn(record, name, index));
			expect(list.map((name) => getOwn(record, name))).toEqual(
				list.map((name) => list.lastIndexOf(name)),
			);
			expect(Object.keys(record).toSorted()).toEqual([...new Set(list)].toSorted());
		}),
	);
});

test('an object that is not there has no property', () => {
	expect(getOwn(undefined, 'name')).toBeUndefined();
});
