/** Decide and Classify in the real n8n, with a decision model on the real llama-server. */
import {
	decisionModel,
	llamaCredential,
	startLlamaServer,
	stopEverything,
	theSharedN8n,
} from './support/playground';
import type { GateN8n, LlamaServer } from './support/playground';
import { textItems, workflowOf } from './support/workflows';

let n8n: GateN8n;
let deciding: LlamaServer;
let chatting: LlamaServer;

beforeAll(async () => {
	n8n = await theSharedN8n();
	deciding = await startLlamaServer({ model: await decisionModel(), contextSize: 4096 });
	chatting = await startLlamaServer({ contextSize: 4096 });
});
afterAll(stopEverything);

const QUESTIONS = [
	{ name: 'angry', type: 'yesNo', question: 'Is the customer angry?' },
	{ name: 'team', type: 'choice', question: 'Which team?', options: 'billing: Payments\nsales' },
	{ name: 'urgency', type: 'score', question: 'How urgent?', levels: 'can wait\ntoday\nnow' },
];

/** The items that Local Llama returns for two texts, or its error. */
async function decideWith(server: LlamaServer, parameters: Record<string, unknown>) {
	const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
	const created = await n8n.createWorkflow(
		workflowOf('Decide', {
			...textItems(['I was charged twice.', 'Thank you!'], 'Llama'),
			Llama: {
				type: 'CUSTOM.localLlama',
				parameters: { resource: 'text', ...parameters, options: { simplify: false } },
				credentials: { localLlamaApi: { id: credential.id, name: credential.name } },
			},
		}),
	);
	const { data } = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
	const { runData, error } = data.resultData;
	const items = runData.Llama?.at(-1)?.data?.main?.[0]?.map(({ json }) => json);
	return items ?? [error?.message, error?.description];
}

const probability = expect.any(Number) as number;

it('Decide answers each type of question, with an empty Model', async () => {
	const items = await decideWith(deciding, {
		operation: 'decide',
		questions: { question: QUESTIONS },
	});
	expect(items).toHaveLength(2);
	expect(items[0]).toMatchObject({
		decision: {
			angry: expect.any(Boolean) as boolean,
			team: expect.stringMatching(/^(?:billing|sales)$/) as string,
			urgency: probability,
		},
		metadata: {
			answers: {
				angry: { probability },
				team: { probabilities: { billing: probability, sales: probability } },
				urgency: { probabilities: { 0: probability, 1: probability, 2: probability } },
			},
			model: 'test-model',
			server: 'llamaServer',
		},
	});
});

it('Classify asks the same model', async () => {
	const items = await decideWith(deciding, {
		operation: 'classify',
		labels: { label: [{ name: 'billing' }, { name: 'thanks' }] },
	});
	expect(items[0]).toMatchObject({
		classification: expect.stringMatching(/^(?:billing|thanks)$/) as string,
		metadata: { scores: { billing: probability, thanks: probability } },
	});
});

it('a chat model, in the words of the server and with what helps', async () => {
	const [message, description] = await decideWith(chatting, {
		operation: 'decide',
		questions: { question: QUESTIONS },
	});
	expect(message).toContain('This model is not a decision model');
	expect(description).toContain('Start llama-server with a decision model');
});
