import fc from 'fast-check';
import { toPlainObject } from '../../../../nodes/shared/dify/run-output';
import { examples } from '../../../support/jest/properties';

test('any JSON with undefined values is the JSON without them, as a copy', () => {
	const json = fc.object({ withNullPrototype: false, values: valuesOfAnyKind() });
	fc.assert(
		fc.property(json, (value) => {
			const copy = toPlainObject(value);
			expect(copy).toEqual(JSON.parse(JSON.stringify(value)));
			expect(copy).not.toBe(value);
			expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
		}),
		examples(200),
	);
});

function valuesOfAnyKind() {
	return [
		fc.string(),
		fc.integer(),
		fc.boolean(),
		fc.constant(null),
		fc.constant(undefined),
		fc.constant(JSON.parse('{"__proto__":{"a":1}}') as unknown),
	];
}
