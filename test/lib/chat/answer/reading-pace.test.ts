import { ReadingPace } from '../../../../lib/chat/answer/reading-pace';

const BEFORE = { started: false, shown: false, finished: false };
const THINKING = { ...BEFORE, started: true };
const TEXT = { ...THINKING, shown: true };

const at = (
	progress: typeof BEFORE,
	call: { whole?: boolean; pieceMs?: () => number },
	idleMs = 0,
) => {
	const pace = new ReadingPace(call, { idleMs });
	pace.progress = progress;
	return pace.interval();
};

describe('how often an answer is read', () => {
	test('immediately until something was generated, and from its end on', () => {
		for (const call of [{ whole: true }, { pieceMs: () => 40 }]) {
			expect(new ReadingPace(call, {}).interval()).toBe(0);
			expect(at(BEFORE, call)).toBe(0);
			expect(at({ ...TEXT, finished: true }, call)).toBe(0);
		}
	});

	test('for a reader: as it wants its pieces, and more often before its first text', () => {
		expect(at(TEXT, { pieceMs: () => 40 })).toBe(40);
		expect(at(THINKING, { pieceMs: () => 40 })).toBe(10);
		expect(at(THINKING, { pieceMs: () => 5 })).toBe(5);
		expect(at(TEXT, {})).toBe(0);
	});

	test('without a streaming reader: ten times a second, including thinking', () => {
		expect(at(TEXT, { whole: true })).toBe(100);
		expect(at(THINKING, { whole: true })).toBe(100);
	});

	test('never longer than a quarter of the idle limit: what arrived counts when it is read', () => {
		expect(at(TEXT, { whole: true }, 200)).toBe(50);
		expect(at(TEXT, { pieceMs: () => 160 }, 200)).toBe(50);
		expect(at(TEXT, { pieceMs: () => 40 }, 60_000)).toBe(40);
	});

	test('the number of readers is asked for each time', () => {
		let wanted = 40;
		const pace = new ReadingPace({ pieceMs: () => wanted }, {});
		pace.progress = TEXT;
		expect(pace.interval()).toBe(40);
		wanted = 160;
		expect(pace.interval()).toBe(160);
	});
});
