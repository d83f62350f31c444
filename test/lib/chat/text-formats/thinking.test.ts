import fc from 'fast-check';

import {
	hasClosingTagOnItsOwnLine,
	ThinkSplitter,
	withoutThinking,
} from '../../../../lib/chat/text-formats/thinking';
import { process } from '../../../support/node';
import { examples } from '../../../support/properties';

function split(pieces: readonly string[], openingTagMayBeMissing = false) {
	const splitter = new ThinkSplitter(openingTagMayBeMissing);
	const steps = [...pieces.map((piece) => splitter.push(piece)), splitter.end()];
	return {
		text: steps.map(({ text }) => text).join(''),
		reasoning: steps.map(({ reasoning }) => reasoning).join(''),
		found: splitter.foundThinking,
		missing: splitter.openingTagWasMissing,
	};
}

/** What is given out before the end. */
function streamed(pieces: readonly string[], openingTagMayBeMissing = false): string {
	const splitter = new ThinkSplitter(openingTagMayBeMissing);
	return pieces.map((piece) => splitter.push(piece).text).join('');
}

describe('thinking in the text of an answer', () => {
	it.each([
		['Hello.', 'Hello.', ''],
		['<think>\nWhy?\n</think>\n\nBecause.', 'Because.', '\nWhy?\n'],
		['\n <think>a</think>b', 'b', 'a'],
		['<thinking>a</thinking> b', 'b', 'a'],
		['[THINK]a[/THINK]b', 'b', 'a'],
		['◁think▷a◁/think▷b', 'b', 'a'],
		['◁think▷a ◁ b◁/think', '', 'a ◁ b◁/think'],
		['◁ thinks', '◁ thinks', ''],
		['<mm:think>a</mm:think>b', 'b', 'a'],
		['<think>a</think>\n<think>b</think>\nc', 'c', 'ab'],
		['<think></think>a', 'a', ''],
		['<think>\n\n</think>\n\na', 'a', '\n\n'],
		['<think>a < b </thin k> c</think>d', 'd', 'a < b </thin k> c'],
		['<think>never closed', '', 'never closed'],
		['<think>never closed </thi', '', 'never closed </thi'],
		['<think>a</think>', '', 'a'],
		['<thi', '<thi', ''],
		['<thin air>', '<thin air>', ''],
		['\n\n  indented', '\n\n  indented', ''],
		['', '', ''],
		['Use <think> and </think> to think.', 'Use <think> and </think> to think.', ''],
		['`<think>` begins it.\n</think>\nends it.', '`<think>` begins it.\n</think>\nends it.', ''],
		['<think>a</think>b <think>c</think>', 'b <think>c</think>', 'a'],
		['<THINK>a</THINK>b', 'b', 'a'],
		['<Thinking>a</thinking >b', 'b', 'a'],
		['<think budget="low">\na</think>b', 'b', '\na'],
		['<think\nid="1">a</think>b', 'b', 'a'],
		['<think/>a', '<think/>a', ''],
		['<think />a', '<think />a', ''],
		['<thinker>a</thinker>', '<thinker>a</thinker>', ''],
		['[think]a[/think]b', '[think]a[/think]b', ''],
	])('case 64: %j', (answer, text, reasoning) => {
		expect(withoutThinking(answer)).toEqual({ text, reasoning });
		expect(split([...answer])).toMatchObject({ text, reasoning, missing: false });
	});

	it('case 64: splits at every position give the same', () => {
		const answer = '\n<think>\nFirst, <b>see</b>.\n</think>\n\n2 < 3';
		for (let at = 0; at <= answer.length; at++) {
			expect(split([answer.slice(0, at), answer.slice(at)])).toMatchObject({
				text: '2 < 3',
				reasoning: '\nFirst, <b>see</b>.\n',
			});
		}
	});

	it('gives an answer without thinking out at once', () => {
		expect(streamed(['He', 'llo'])).toBe('Hello');
		expect(streamed(['<thin', 'ner than'])).toBe('<thinner than');
	});

	it('case 62, 63: holds nothing back when thinking has arrived in a field of its own', () => {
		const splitter = new ThinkSplitter(true);
		splitter.thinkingArrivesApart();
		expect(splitter.push('Hello').text).toBe('Hello');
		const late = new ThinkSplitter(true);
		expect(late.push('Hel').text).toBe('');
		late.thinkingArrivesApart();
		expect(late.push('lo').text).toBe('Hello');
	});
});

describe('a missing opening tag', () => {
	it.each([
		['Hm, so.\n</think>\n\nYes.', 'Yes.', 'Hm, so.\n'],
		['Hm</think>\nYes.', 'Yes.', 'Hm'],
		['\n</think>\nYes.', 'Yes.', '\n'],
		['</think>Yes.', 'Yes.', ''],
		['Hm.\n</think>', '', 'Hm.\n'],
		['Hm.</think>', '', 'Hm.'],
		['Hm.\n[/THINK]Yes.', 'Yes.', 'Hm.\n'],
		['Hm.\n◁/think▷Yes.', 'Yes.', 'Hm.\n'],
		['a </think> tag\n</think>\nb', 'b', 'a </think> tag\n'],
		['a\n[/THINK]\nb\n</think>\nc', 'b\n</think>\nc', 'a\n'],
		['a\n</think>\n<think>b</think>c', 'c', 'a\nb'],
		['a\n</THINK>\nb', 'b', 'a\n'],
		['a\n```\n</think>\n```\nb\n</think>\nc', 'c', 'a\n```\n</think>\n```\nb\n'],
	])('is understood in %j', (answer, text, reasoning) => {
		expect(split([answer], true)).toEqual({ text, reasoning, found: true, missing: true });
		expect(split([...answer], true)).toEqual({ text, reasoning, found: true, missing: true });
	});

	it.each([
		'An answer without any thinking.',
		'The tag </think> ends it.',
		'Write it like this:\n<think>\nyour thoughts\n</think>\nand then the answer.',
		'Begin with <think>\nand end with\n</think>\n.',
		'It ends with\n```xml\n</think>\n```\nand then comes the answer.',
		'It ends with\n~~~\n</think>',
	])('is not seen where nothing is missing: %j', (answer) => {
		expect(split([answer], true)).toEqual({
			text: answer,
			reasoning: '',
			found: false,
			missing: false,
		});
		expect(split([...answer], true)).toEqual({
			text: answer,
			reasoning: '',
			found: false,
			missing: false,
		});
	});

	it('leaves the ordinary form as it is', () => {
		expect(split(['<think>a</think>b\n</think>\nc'], true)).toEqual({
			text: 'b\n</think>\nc',
			reasoning: 'a',
			found: true,
			missing: false,
		});
	});

	it('is not looked for unless asked', () => {
		expect(split(['Hm.\n</think>\nYes.'])).toMatchObject({
			text: 'Hm.\n</think>\nYes.',
			reasoning: '',
			missing: false,
		});
	});

	it('is looked for without searching a long answer again and again', () => {
		// CPU time, which does not depend on other processes.
		const cost = (pieces: number) => {
			const answer = Array.from({ length: pieces }, () => 'word ');
			const before = process.cpuUsage();
			expect(split([...answer, '\n</think>\nYes.'], true).text).toBe('Yes.');
			const { user, system } = process.cpuUsage(before);
			return user + system;
		};
		// Searched from the beginning with every piece, eight times the length takes more than fifty times as long.
		expect(cost(640_000)).toBeLessThan(30 * cost(80_000));
	});

	it('holds everything back until the tag decides', () => {
		expect(streamed(['Hm.', '\n</think>', '\n', 'Y', 'es.'], true)).toBe('Yes.');
		expect(streamed(['Hm.', ' Yes.'], true)).toBe('');
	});
});

describe('a closing tag on a line of its own', () => {
	it('is found at the beginning or end of a line, and only before any opening tag', () => {
		expect(hasClosingTagOnItsOwnLine('a\n</think> b')).toBe(true);
		expect(hasClosingTagOnItsOwnLine('a</think>\nb')).toBe(true);
		expect(hasClosingTagOnItsOwnLine('a</think>')).toBe(true);
		expect(hasClosingTagOnItsOwnLine('a </think> b')).toBe(false);
		expect(hasClosingTagOnItsOwnLine('\n<think>\na\n</think>\n')).toBe(false);
	});

	it('is not seen in a block of code', () => {
		expect(hasClosingTagOnItsOwnLine('It ends so:\n```xml\n</think>\n```\nThen the answer.')).toBe(
			false,
		);
		expect(hasClosingTagOnItsOwnLine('~~~~\n```\n</think>\n~~~~')).toBe(false);
		expect(hasClosingTagOnItsOwnLine('```\ncode\n```\n</think>\nYes.')).toBe(true);
	});
});

describe('whatever the answer and however it is cut', () => {
	const answers = fc
		.array(
			fc.constantFrom(
				'<think>',
				'</think>',
				'<thinking>',
				'</thinking>',
				'[THINK]',
				'[/THINK]',
				'◁think▷',
				'◁/think▷',
				'◁',
				'<',
				'</',
				'think',
				'>',
				'[',
				'/',
				'\n',
				'\n\n',
				' ',
				'a',
				'Bc.',
				'é🦙',
				'```',
				'<THINK>',
				'<think a="b">',
				'<think ',
				'<think [THINK]>',
			),
			{
				maxLength: 14,
			},
		)
		.map((parts) => parts.join(''));
	const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 12 });
	const pieces = (answer: string, at: readonly number[]) => {
		const places = [0, ...at.filter((cut) => cut <= answer.length), answer.length].sort(
			(a, b) => a - b,
		);
		return places.slice(1).map((end, index) => answer.slice(places[index], end));
	};

	it.each([false, true])(
		'any split gives the same (opening tag may be missing: %s)',
		(mayBeMissing) => {
			fc.assert(
				fc.property(answers, cuts, (answer, at) => {
					expect(split(pieces(answer, at), mayBeMissing)).toEqual(split([answer], mayBeMissing));
				}),
				examples(1000),
			);
		},
	);

	/** Whether `rest` is `all` with nothing but tags and white space taken out. */
	function isAllButTags(all: string, rest: string): boolean {
		const removable = /^(?:<\/?think(?:ing)?(?:\s[^<>]*)?>|\[\/?THINK\]|◁\/?think▷|\s)/i;
		const seen = new Map<string, boolean>();
		const follows = (i: number, j: number): boolean => {
			if (i === all.length) return j === rest.length;
			const key = `${i},${j}`;
			const known = seen.get(key);
			if (known !== undefined) return known;
			const removed = removable.exec(all.slice(i))?.[0].length ?? 0;
			const result =
				(all[i] === rest[j] && follows(i + 1, j + 1)) || (removed > 0 && follows(i + removed, j));
			seen.set(key, result);
			return result;
		};
		return follows(0, 0);
	}

	it.each([false, true])(
		'nothing is lost but tags and the white space around them (opening tag may be missing: %s)',
		(mayBeMissing) => {
			fc.assert(
				fc.property(answers, (answer) => {
					const { text, reasoning } = split([answer], mayBeMissing);
					expect(isAllButTags(answer, reasoning + text)).toBe(true);
				}),
				examples(1000),
			);
		},
	);
});
