import { answer, list, testKind } from './kind-suite';

const UVICORN = { server: 'uvicorn' };
const entry = (more: object = {}) => ({
	id: 'scripted.gguf',
	object: 'model',
	created: 0,
	owned_by: 'user',
	...more,
});

describe('text-generation-webui', () => {
	testKind('webui', {
		told: [['its list', { models: answer(list(entry()), 200, UVICORN) }]],
		notTold: [
			['an empty list', { models: answer(list(), 200, UVICORN) }, 'other'],
			['a list with times', { models: answer(list(entry({ created: 1 })), 200, UVICORN) }, 'other'],
			['a list of another program', { models: list(entry()) }, 'other'],
		],
		chat: {
			fields: {
				temperature: 0.7,
				top_k: 20,
				min_p: 0.1,
				repetition_penalty: 1.1,
				enable_thinking: false,
				grammar_string: 'root ::= "a"',
				tool_choice: 'required',
			},
			tools: ['get_time'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: [
				'This server (text-generation-webui) ignores these options, so they were not sent: Parallel Tool Calls, Cache Prompt, Chat Template Arguments',
			],
		},
		advice: {
			noModels: 'tab Model',
			missingModel: '--model',
			embeddingsOff: 'another server',
			moreContext: '9000 tokens',
			toolParser: 'format it knows',
		},
	});
});
