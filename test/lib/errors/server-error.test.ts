import fc from 'fast-check';

import { ServerError } from '../../../lib/errors/server-error';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';

describe('ServerError', () => {
	const failed = new ServerError({
		type: 'connectionLost',
		message: 'It broke',
		suggestion: 'Mend it.',
		url: URL_ASKED,
		status: 200,
		facts: { a: 1 },
	});

	test('a short title, and where it happened beside it', () => {
		expect(failed).toMatchObject({
			name: 'ServerError',
			message: 'It broke',
			detail: 'It broke',
			url: URL_ASKED,
		});
		expect(new ServerError({ type: 'busy', message: 'No', suggestion: '.' }).retryable).toBe(true);
		expect(failed.retryable).toBe(false);
	});

	test('takes what had arrived, and stays the same otherwise', () => {
		const more = failed.withPartial({ text: 'Hel', reasoning: 'hm' });
		expect(more).toMatchObject({
			...failed,
			message: failed.message,
			partialText: 'Hel',
			partialReasoning: 'hm',
		});
		expect(more.withPartial({}).partialText).toBe('Hel');
	});

	test('fast-check: of an endless answer it keeps the beginning, of any other all', () => {
		const length = fc.oneof(fc.nat(5), fc.integer({ min: 999_990, max: 1_000_010 }));
		fc.assert(
			fc.property(length, fc.constantFrom('a', '\n', 'ä', '日'), (count, letter) => {
				const text = letter.repeat(count);
				const { partialText, partialReasoning } = failed.withPartial({ text, reasoning: text });
				if (count <= 1_000_000) expect(partialText).toBe(text === '' ? undefined : text);
				else expect(partialText!.length).toBeLessThanOrEqual(1_000_001);
				expect(text.startsWith((partialText ?? '').replace(/…$/, ''))).toBe(true);
				expect(partialReasoning).toBe(partialText);
			}),
			{ numRuns: 10 },
		);
	});
});
