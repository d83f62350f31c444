/** How errors and hints name texts. */
import { createServerError } from '../../../lib/errors/create-error';
import { excerpt, getTruncationHints, nameRefusedText } from '../../../lib/tasks/texts';
import { joinSplitSegments, joinSplitText } from '../../../lib/tasks/transcript';
import { expectApproved } from '../../support/approved/approved-table';
import { describeError } from '../../support/approved/outcome';
import path from 'node:path';

const truncated = (...lengths: number[]) =>
	lengths.map((keptLength, index) => ({ index, keptLength, length: 5_000 }));

test('each name', () => {
	const error = createServerError('badRequest', {} as never, {
		facts: { n_prompt_tokens: 9, n_ctx: 4, other: 1 },
	});
	const named = (['Text', 'Document'] as const).map((noun) => ({
		input: `a refused ${noun}`,
		outcome: describeError(nameRefusedText(error, { index: 2, text: 'a text' }, noun)),
	}));
	const excerpts = [0, 79, 80, 81].map((length) => ({
		input: `${length} characters`,
		outcome: excerpt('x'.repeat(length)).length,
	}));
	const hints = [truncated(), truncated(1_200), truncated(1_200, 300), truncated(7, 7, 7)].map(
		(texts) => ({
			input: `truncated to ${texts.map(({ keptLength }) => keptLength).join()}`,
			outcome: getTruncationHints(texts, { count: 9, noun: 'Document' }),
		}),
	);
	expectApproved(
		path.join(__dirname, 'texts.any-text.approved.txt'),
		[...named, ...excerpts, ...hints],
		'A text is named by its number and beginning',
	);
});

test('words that were split', () => {
	const texts = [' Hel\nlo there\n next', 'Hel\nlo', ' A\nB', ' One\n two', ' end.\nno'].map(
		(text) => ({
			input: JSON.stringify(text),
			outcome: joinSplitText(text),
		}),
	);
	const segments = [
		[' Hel', 'lo there', ' next'],
		['Hel', 'lo'],
		[' Hel', 'Lo', ' x'],
		[' a', 'b.', ' c'],
		[' a', 'bcd, e', ' f', 'g'],
	].map((list) => ({
		input: JSON.stringify(list),
		outcome: joinSplitSegments(list.map((text, at) => ({ text, id: at }))).map(({ text }) => text),
	}));
	const others = {
		input: 'a segment without a text',
		outcome: joinSplitSegments([{ text: ' a' }, { id: 1 }, { text: ' b' }]),
	};
	expectApproved(
		path.join(__dirname, 'texts.any-text.split.approved.txt'),
		[...texts, ...segments, others],
		'A split text loses nothing',
	);
});
