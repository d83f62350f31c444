import fc from 'fast-check';

import { ServerError } from '../../../lib/errors/server-error';

const REQUEST_URL = 'http://10.0.0.5:8080/v1/chat/completions';

describe('ServerError', () => {
	const failed = new ServerError({
		type: 'connectionLost',
		title: 'It broke',
		suggestion: 'Mend it.',
		url: REQUEST_URL,
		status: 200,
		facts: { a: 1 },
	});

	test('has a short title, and the URL as a separate field', () => {
		expect(failed).toMatchObject({
			name: 'ServerError',
			message: 'It broke',
			detail: 'It broke',
			url: REQUEST_URL,
		});
		expect(new ServerError({ type: 'busy', title: 'No', suggestion: '.' }).retryable).toBe(true);
		expect(failed.retryable).toBe(false);
	});

	test('withPartial adds the received text and changes nothing else', () => {
		const withPartial = failed.withPartial({ text: 'Hel', reasoning: 'hm' });
		expect(withPartial).toMatchObject({
			...failed,
			message: failed.message,
			partialText: 'Hel',
			partialReasoning: 'hm',
		});
		expect(withPartial.withPartial({}).partialText).toBe('Hel');
	});

	test('withPartial keeps a text up to a million characters, and the beginning of a longer one', () => {
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
