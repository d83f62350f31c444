/** Servers quote a part of a rejected key, which no item, error or check may show. */
import { check } from '../lib/health/support';
import { useLocalLlama } from '../nodes/LocalLlama/run-node';
import { sendJson, startScripted } from '../support/servers/scripted-server';
import { useSimulator } from '../simulators/use-simulator';

const { serve: startDefault, prepare, executeIn, getError } = useLocalLlama();
const startServer = useSimulator(startScripted);

beforeEach(async () => {
	await startDefault();
});

const KEY = ['sk', 'lm', 'J9Fa6fbC', 'kQ3xV7mZ2pT8wR4y'].join('-');
const PART = 'J9Fa6fbC';

const MESSAGES: Array<[string, string]> = [
	['LM Studio', `Malformed LM Studio API token provided: sk-lm-${PART}...`],
	['OpenAI', `Incorrect API key provided: sk-lm-${PART}****************R4y.`],
	[
		'LiteLLM',
		`Authentication Error, Invalid proxy server token passed. Received API Key = sk-...${KEY.slice(-8)}`,
	],
	['an ellipsis of one character', `Key sk-lm-${PART}… is unknown`],
];

describe.each(MESSAGES)('a key that a server echoes in part: %s', (_name, message) => {
	const serve = async () =>
		await startServer((_request, response) => sendJson(response, { error: { message } }, 401));
	const parameters = { resource: 'text', operation: 'chat', prompt: 'Hi', model: 'm' };

	test('error', async () => {
		const { url } = await serve();
		const error = await getError({}, { credentials: { baseUrl: url, apiKey: KEY }, parameters });
		expect(error.message).toContain('key');
		expect(JSON.stringify([error.message, error.description, error])).not.toMatch(
			/J9Fa6fbC|T8wR4y/,
		);
	});

	test('item', async () => {
		const { url } = await serve();
		const fake = prepare({
			credentials: { baseUrl: url, apiKey: KEY },
			parameters,
			continueOnFail: true,
		});
		const items = await executeIn(fake);
		expect(JSON.stringify(items.map(({ json }) => json))).not.toMatch(/J9Fa6fbC|T8wR4y/);
		expect(items).toHaveLength(1);
	});

	test('check', async () => {
		const { url } = await serve();
		const result = await check(url, {}, { apiKey: KEY });
		expect(result.status).toBe('unauthorized');
		expect(JSON.stringify(result)).not.toMatch(/J9Fa6fbC|T8wR4y/);
	});
});
