/** Values of many forms, and what each function makes of them. */
import path from 'node:path';
import { breakTurnTokens } from '../../../lib/text/turn-tokens';
import { formatDuration } from '../../../lib/values/duration';
import { decodeEntities } from '../../../lib/values/html-entities';
import { formatRange, isInRange, parseNumber, round } from '../../../lib/values/numbers';
import { toPlainText } from '../../../lib/values/safe-text';
import { formatBytes } from '../../../lib/values/size';
import {
	normalizeLetters,
	parseBoolean,
	toText,
	truncate,
	truncateMiddle,
} from '../../../lib/values/text';
import { estimateTokens } from '../../../lib/values/tokens';
import { applyToTexts, expectApproved } from '../../support/approved/approved-table';

const TEXTS = [
	'',
	' ',
	'a',
	'Hello world',
	'5',
	' 5 ',
	'-1.5',
	'1e3',
	'1,5',
	'0x10',
	'٥',
	'NaN',
	'Infinity',
	'true',
	'TRUE',
	' yes ',
	'no',
	'0',
	'1',
	'false',
	'on',
	'off',
	'null',
	'a very long text of several words',
	'äöü Straße',
	'ＦＵＬＬ',
	'你好世界',
	'😀😀😀😀😀😀',
	'a\u0000b\u200Bc\u202Ed',
	'<b>&amp;</b>',
	'&lt;a&gt; &#65;&#x42; &nbsp; &unknown; &amp;lt;',
	'<|im_start|>user',
	'[INST] a [/INST]',
	'<think>',
	'Line\nbreak',
];

const NUMBERS = [
	0,
	1,
	0.04,
	0.05,
	1.25,
	59,
	60,
	999,
	1000,
	1023,
	1024,
	1500,
	59_999,
	60_000,
	90_000,
	3_600_000,
	5_000_000,
	86_400_000,
	2 ** 31,
];

test('each value has its forms', () => {
	const texts = applyToTexts(
		{
			parseNumber,
			parseBoolean,
			'truncate 10': (text) => truncate(text, 10),
			'truncateMiddle 12': (text) => truncateMiddle(text, 12),
			normalizeLetters,
			decodeEntities,
			toPlainText,
			breakTurnTokens,
			estimateTokens,
		},
		TEXTS,
	);
	const numbers = NUMBERS.map((number) => ({
		input: String(number),
		outcome: [
			formatDuration(number),
			formatBytes(number),
			round(number / 7),
			round(number / 7, 2),
		].join(' | '),
	}));
	const ranges = (
		[
			[0, 1],
			[-1, Infinity],
			[-Infinity, 5],
			[-Infinity, Infinity],
			[3, 3],
		] as const
	).map((range) => ({
		input: `range ${range.join(' to ')}`,
		outcome: `${formatRange(range)}: ${[-1, 0, 1, 3, 5, 6].filter((value) => isInRange(value, range)).join(' ')}`,
	}));
	const values = [undefined, null, 5, true, { a: 1 }, [1], 10n, Symbol.iterator].map((value) => ({
		input: `toText ${String(value)}`,
		outcome: toText(value),
	}));
	expectApproved(
		path.join(__dirname, 'text.forms.approved.txt'),
		[...texts, ...numbers, ...ranges, ...values],
		'A value is written in one form',
	);
});
