import { fields, fieldsList, list, number, says, text } from '../../../lib/dify/read';

test('null, empty and absent are the same; another type is as good as nothing', () => {
	for (const none of [null, undefined, '', 5, {}]) expect(text(none)).toBeUndefined();
	for (const none of [null, undefined, '5', NaN, Infinity]) expect(number(none)).toBeUndefined();
	expect([text('a'), number(0)]).toEqual(['a', 0]);
	expect(list({ length: 1 })).toEqual([]);
	expect(fieldsList([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
	expect(fields([1])).toEqual({});
});

test('what says something', () => {
	expect([0, false, 'x', [0], { a: null }].map(says)).toEqual([true, true, true, true, true]);
	expect([null, undefined, '', [], {}].map(says)).toEqual([false, false, false, false, false]);
});
