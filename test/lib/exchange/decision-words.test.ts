import { DECISION_WORDS } from '../../../lib/exchange/decision-words';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const ISSUE = /^[\w-]+\/[\w.-]+ issue \d+(?: \([\w. -]+\))?$/;

test.each(DECISION_WORDS)('"$word" ($topic) was seen: $seen', ({ word, seen }) => {
	const [file = ''] = seen.split(' (');
	const isWritten = (): boolean =>
		new RegExp(String.raw`(?<![\w])${word}(?![\w])`, 'i').test(
			fs.readFileSync(path.join(process.cwd(), 'test/fixtures', file), 'utf8'),
		);
	expect(ISSUE.test(seen) || isWritten()).toBe(true);
});

test('each word is in one row', () => {
	const words = DECISION_WORDS.map(({ word }) => word);
	expect(words).toEqual([...new Set(words)]);
});
