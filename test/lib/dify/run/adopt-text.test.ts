/** A closing text that replaces the streamed one: in linear time, also for texts that look like URLs of files. */
import { SPLIT_REASONING } from '../../../../lib/text/reasoning';
import { adoptText, isBeginning } from '../../../../lib/dify/run/adopt-text';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../../support/measures/cpu-time';

const parts = (text: string) => ({
	text,
	reasoning: '',
	textReasoning: '',
	heldText: '',
	split: SPLIT_REASONING.start,
});

const PIECES = [
	' ',
	'timestamp=1&nonce=a',
	'timestamp=',
	'1',
	'word ',
	'?timestamp=1&nonce=a&sign=b ',
];

test.each(PIECES)('many times %j', (piece) => {
	const text = `x${piece.repeat(80_000)}`;
	const work = () => adoptText(parts(text), `${text}y`);
	expect(cpuMilliseconds(work)).toBeLessThan(LINEAR_CPU_MS);
});

test.each([
	['One two', 'One', true],
	['One two', 'One two', false],
	['One two', 'One two\n', false],
	['One', 'One two', false],
	['One', '', true],
	['', '', false],
])('%j begins with %j: %s', (complete, part, expected) => {
	expect(isBeginning({ part, completeText: complete })).toBe(expected);
});
