import { failure } from '../../../lib/errors/failure';
import { httpFailure } from '../../../lib/errors/http-failure';
import { networkFailure } from '../../../lib/errors/network-failure';
import { mask, secretsOf } from '../../../lib/errors/secrets';
import { Agent, request } from '../../../lib/vendor';
import { util } from '../../support/node';
import { listening } from '../../support/listening';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: URL_ASKED, root: 'http://10.0.0.5:8080', model: 'qwen3' };

describe('secrets', () => {
	const SAMPLE = 'sk-"llama/1234567890+=';
	const HEADERS = {
		authorization: `Bearer ${SAMPLE}`,
		'x-proxy-token': 'pr0xy-t0ken',
		cookie: 'session=c00kie-value; lang=en',
	};
	const context = { ...CONTEXT, secrets: secretsOf(HEADERS) };
	const everywhere = (error: Error) =>
		[
			error.message,
			error.stack,
			String(error),
			JSON.stringify(error),
			JSON.stringify({ ...error }),
			util.inspect(error, { depth: 9, showHidden: true }),
		].join('\n');

	test('an echoed key is found in none of the forms of an error', () => {
		const said = `Key Bearer ${SAMPLE} refused, token pr0xy-t0ken, ${encodeURIComponent(SAMPLE)}, c00kie-value`;
		const errors = [
			httpFailure(
				{
					status: 401,
					body: JSON.stringify({
						error: { message: said, header: HEADERS.authorization, [SAMPLE]: [{ deep: SAMPLE }] },
					}),
					location: `/login?key=${SAMPLE}`,
				},
				context,
			),
			httpFailure({ status: 500, body: said }, context),
			httpFailure({ status: 500, body: `{"oops": ${JSON.stringify(said)}` }, context),
			httpFailure(
				{ status: 302, body: '', location: `https://elsewhere/login?back=${encodeURIComponent(SAMPLE)}` },
				context,
			),
			networkFailure(new Error(`invalid header ${SAMPLE}`), context),
			failure('streamError', context, { serverText: said, facts: { line: said } }),
		];
		for (const error of errors) {
			const shown = everywhere(error);
			for (const secret of [
				SAMPLE,
				encodeURIComponent(SAMPLE),
				JSON.stringify(SAMPLE).slice(1, -1),
				'pr0xy-t0ken',
				'c00kie-value',
			])
				expect(shown).not.toContain(secret);
			expect(shown).toContain('***');
		}
	});

	test('what undici knows of the request does not hang on the error', async () => {
		const { port, close } = await listening((socket) => socket.destroy());
		const raised = await request(`http://127.0.0.1:${port}/`, { headers: HEADERS, dispatcher: new Agent() }).catch(
			(error: unknown) => error,
		);
		await close();
		expect(everywhere(networkFailure(raised, context))).not.toContain(SAMPLE);
	});

	test('common words and short values are left alone', () => {
		expect(mask('Bearer tokens are fine', context.secrets)).toBe('Bearer tokens are fine');
		expect(mask('a key', secretsOf({ authorization: 'Bearer key' }))).toBe('a key');
		expect(mask(undefined, context.secrets)).toBeUndefined();
	});

	test("our own sentence and URL are left alone, even where a header's value is a common word", () => {
		const failed = failure('refused', {
			url: 'http://127.0.0.1:1/v1',
			secrets: secretsOf({ 'x-forwarded-proto': 'http', 'x-who': 'Nothing' }),
		});
		expect(failed.message).toBe('Nothing listens on 127.0.0.1:1, seen from n8n');
	});
});
