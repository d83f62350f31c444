import { recordedReply } from '../../../support/recordings';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn } = useLocalLlama();

const labels = { label: [{ name: 'invoice' }, { name: 'complaint' }] };
const TEXT = { resource: 'text', text: 'Please pay.' };
const OPERATIONS: Array<[string, object]> = [
	['chat', { resource: 'text', operation: 'chat', prompt: 'Hi' }],
	['classify', { ...TEXT, operation: 'classify', labels }],
	['complete', { resource: 'text', operation: 'complete', prompt: 'Once' }],
];

async function getHints(operation: object, contextSize: number, model = 'sim-model') {
	const namedModel = { model: { __rl: true, mode: 'id', value: model } };
	const fake = prepare({ parameters: { ...operation, ...namedModel, options: { contextSize } } });
	await executeIn(fake);
	return fake.hints.map(({ message }) => message).filter((hint) => hint.includes('Context Size'));
}

test.each(OPERATIONS)(
	'Ollama reloads a model for another context: %s',
	async (_name, operation) => {
		const sim = await serve({ profile: 'ollama', models: [{ id: 'sim-model:latest' }] });
		sim.route('POST /api/generate', recordedReply('ollama-v0.17.4/generate-stream'));
		const [, chat] = OPERATIONS[0]!;
		expect(await getHints(chat, 4096)).toEqual([]);
		expect(await getHints(operation, 4096)).toEqual([]);
		expect(await getHints(operation, 8192)).toEqual([expect.stringContaining('with 4096.')]);
		expect(await getHints(chat, 4096, 'sim-model:latest')).toEqual([
			expect.stringContaining('with 8192.'),
		]);
	},
);
