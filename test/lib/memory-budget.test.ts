import * as fc from 'fast-check';
import { JsonMemory } from '../../lib/json-memory';
import { estimateMemory, MemoryBudget } from '../../lib/memory-budget';

test('the memory of a value is that of its JSON', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (value) => {
			const length = JSON.stringify(value).length;
			const memory = new JsonMemory();
			memory.add(JSON.stringify(value));
			const { bytes } = memory;
			// The estimate of a value also counts the characters of strings, and each entry of a list.
			expect(estimateMemory(value)).toBeLessThanOrEqual(bytes + 9 * length + 8);
			expect(estimateMemory(value)).toBeGreaterThanOrEqual(bytes / 4);
		}),
	);
});

test('a budget refuses what does not fit, and takes what still does', () => {
	const budget = new MemoryBudget(1_000);
	expect([
		budget.take('x'.repeat(900)),
		budget.take({ a: 'x'.repeat(100) }),
		budget.take('x'),
	]).toEqual([true, false, true]);
});
