import { MODEL_ERROR_TEXTS } from '../../../lib/errors/texts/model';
import { NETWORK_ERROR_TEXTS } from '../../../lib/errors/texts/network';
import { type ErrorTextSource, toErrorText } from '../../../lib/errors/texts/error-text';
import { readRows } from '../../support/rows';

const texts: Record<string, ErrorTextSource> = { ...NETWORK_ERROR_TEXTS, ...MODEL_ERROR_TEXTS };
const rows = readRows('test/lib/errors/evidence.tsv');

test('each error type has a row that says when its suggestion helps, and how that is known', () => {
	expect(rows.map(([type]) => type).sort()).toEqual(Object.keys(texts).sort());
	for (const row of rows) expect(row.map((cell) => cell.length > 2)).toEqual([true, true, true]);
});

const FACTS = {
	url: 'http://h:1/v1',
	host: 'h',
	port: '1',
	root: 'http://h:1',
	typed: 'h',
	model: 'm',
};

test.each(Object.keys(texts))('the suggestion of %s has at most 40 words', (type) => {
	for (const facts of [{}, { isEmpty: true }, { isPage: true }, { isKeyMissing: true }])
		for (const status of [undefined, 400, 502, 503, 504, 522]) {
			const { suggestion } = toErrorText(texts[type]!, { ...FACTS, ...facts, status });
			expect(suggestion.split(/\s+/).length).toBeLessThanOrEqual(40);
			expect(suggestion).not.toBe('');
		}
});
