import { useLocalLlama } from './run-node';

const { serve, prepare, executeIn } = useLocalLlama();

const HINT = /does not support these options, so they were not sent: Keep Alive/;

const OPERATIONS: Array<[string, Record<string, unknown>]> = [
	['embed', { resource: 'vector', operation: 'embed', text: 'a' }],
	['complete', { resource: 'text', operation: 'complete', prompt: 'Once' }],
	['chat', { resource: 'text', operation: 'chat', prompt: 'Hi' }],
	[
		'classify',
		{
			resource: 'text',
			operation: 'classify',
			text: 'Great!',
			labels: { label: [{ name: 'good' }, { name: 'bad' }] },
		},
	],
];

const hintsOf = async (parameters: Record<string, unknown>, options: object) => {
	const fake = prepare({ parameters: { ...parameters, options } });
	await executeIn(fake).catch(() => undefined);
	return fake.hints.filter(({ message }) => HINT.test(message));
};

test.each(OPERATIONS)(
	'Keep Alive on llama-server is reported once: %s',
	async (_name, parameters) => {
		await serve({ embeddings: true });
		expect(await hintsOf(parameters, { keepAlive: '30m' })).toHaveLength(1);
		expect(await hintsOf(parameters, {})).toEqual([]);
	},
);

test.each(OPERATIONS)('Ollama supports it: %s', async (_name, parameters) => {
	await serve({ profile: 'ollama' });
	expect(await hintsOf(parameters, { keepAlive: '30m' })).toEqual([]);
});

test.each(OPERATIONS)(
	'a value that Ollama cannot read is an error before anything is sent: %s',
	async (_name, parameters) => {
		const sim = await serve({ profile: 'ollama' });
		for (const keepAlive of ['soon', '5 minutes', 'Infinity', {}]) {
			const fake = prepare({ parameters: { ...parameters, options: { keepAlive } } });
			await expect(executeIn(fake)).rejects.toThrow('"Keep Alive" must be');
		}
		expect(sim.requests.filter(({ method }) => method === 'POST')).toEqual([]);
	},
);
