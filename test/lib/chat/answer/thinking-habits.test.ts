import { ThinkingHabits } from '../../../../lib/chat/answer/thinking-habits';

const missing = { openingTagMissing: true, markedThinking: false };
const marked = { openingTagMissing: false, markedThinking: true };
const nothing = { openingTagMissing: false, markedThinking: false };

describe('how a model marks its thinking', () => {
	const after = (...seen: Array<typeof missing>) => {
		const habits = new ThinkingHabits();
		for (const each of seen) habits.learn('m', each);
		return [habits.leavesOpeningTagOut('m'), habits.marksItsThinking('m')];
	};

	it('is learned from two answers in a row and unlearned by one', () => {
		expect(after()).toEqual([false, false]);
		expect(after(missing)).toEqual([false, false]);
		expect(after(missing, missing)).toEqual([true, false]);
		expect(after(missing, nothing, missing)).toEqual([false, false]);
		expect(after(missing, missing, nothing)).toEqual([false, false]);
		expect(after(missing, missing, marked)).toEqual([false, true]);
	});

	it('stays known for a model that marks its thinking, until two answers show otherwise', () => {
		expect(after(marked, nothing)).toEqual([false, true]);
		expect(after(marked, missing)).toEqual([false, false]);
		expect(after(marked, missing, missing)).toEqual([true, false]);
	});

	it('is remembered for the 500 most recently used models', () => {
		const habits = new ThinkingHabits();
		habits.learn('first', marked);
		for (let i = 0; i < 499; i++) habits.learn(String(i), marked);
		expect(habits.marksItsThinking('first')).toBe(true);
		habits.learn('one more', marked);
		expect(['first', '0', '1', 'one more'].map((model) => habits.marksItsThinking(model))).toEqual([
			true,
			false,
			true,
			true,
		]);
	});
});
