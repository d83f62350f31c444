import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { useChatModel } from '../../support/chat-model';

const { supplied } = useChatModel();
const start = useSimulator(startLlamaServerSim);

afterEach(() => jest.restoreAllMocks());

const MODEL = { model: { __rl: true, mode: 'id', value: 'sim-model' } };

/** What a request with these options adds to the hints at the node. */
async function hintsWith(
	baseUrl: string,
	options: object,
	credentials: Record<string, string> = {},
) {
	const { model, hints } = await supplied({ ...MODEL, options }, { baseUrl, ...credentials });
	await model.invoke('Hi');
	return hints.map(({ message }) => message);
}

const RELOAD = [
	'This request runs the model with a context of 8192 tokens, and an earlier one did with 4096. Ollama loads the model again for each change, so set the same Context Size in all nodes.',
];

test('Ollama: another Context Size than that of a recent request is a hint, once', async () => {
	const { url } = await start({ profile: 'ollama' });
	expect(await hintsWith(url, { contextSize: 4096 })).toEqual([]);
	expect(await hintsWith(url, { contextSize: 4096 })).toEqual([]);
	// OpenAI's route, and nothing that Ollama would load the model for.
	expect(await hintsWith(url, { temperature: 0 })).toEqual([]);
	expect(await hintsWith(url, { contextSize: 8192 })).toEqual(RELOAD);
	expect(await hintsWith(url, { contextSize: 8192 })).toEqual([]);
});

test.each([{ num_ctx: 8192 }, { options: { num_ctx: 8192 } }])(
	'Ollama: a context in Extra Body counts, too: %j',
	async (extraBody) => {
		const { url } = await start({ profile: 'ollama' });
		await hintsWith(url, { contextSize: 4096 });
		expect(await hintsWith(url, { extraBody: JSON.stringify(extraBody) })).toEqual(RELOAD);
	},
);

test('Ollama: another server, another key, and a request of more than ten minutes ago make no hint', async () => {
	const [{ url }, other] = [await start({ profile: 'ollama' }), await start({ profile: 'ollama' })];
	await hintsWith(url, { contextSize: 4096 });
	expect(await hintsWith(other.url, { contextSize: 8192 })).toEqual([]);
	expect(await hintsWith(url, { contextSize: 8192 }, { apiKey: 'another-key-456' })).toEqual([]);
	const now = performance.now();
	jest.spyOn(performance, 'now').mockImplementation(() => now + 10 * 60_000 + 1);
	expect(await hintsWith(url, { contextSize: 8192 })).toEqual([]);
});

test('Ollama: until ten minutes ago it is a hint', async () => {
	const { url } = await start({ profile: 'ollama' });
	const now = performance.now();
	const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
	await hintsWith(url, { contextSize: 4096 });
	clock.mockReturnValue(now + 10 * 60_000 - 1);
	expect(await hintsWith(url, { contextSize: 8192 })).toEqual(RELOAD);
});

test('a server without a setting for the context makes no hint', async () => {
	const { url } = await start({ profile: 'fastapi' });
	for (const num_ctx of [4096, 8192])
		expect(await hintsWith(url, { extraBody: JSON.stringify({ num_ctx }) })).toEqual([]);
});
