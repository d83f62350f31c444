import type { DifyAppMode } from '../../../lib/dify/types';
import { Transcript, type RunContext } from './script';
import type { Item, Script } from './types';

/** All stream items of a run, without a server: for tests of readers. */
export function transcript(script: Script, context: RunContext): Item[] {
	const run = new Transcript(script, context);
	const items = run.opening();
	for (const step of script.steps) {
		items.push(...run.step(step));
		if (run.status !== 'running') return items;
	}
	return [...items, ...run.ending()];
}

/** A run context with the short IDs. */
export function sampleContext(mode: DifyAppMode, over: Partial<RunContext> = {}): RunContext {
	const counts = new Map<string, number>();
	const short: Record<string, string> = {
		execution: 'e',
		thought: 'th',
		'message-file': 'mf',
		form: 'fo',
		'form-token': 'ft',
	};
	return {
		mode,
		conversationId: 'c',
		messageId: 'm',
		taskId: 't',
		runId: 'r',
		workflowId: 'w',
		appId: 'a',
		endUserId: 'eu',
		user: 'u1',
		query: 'hi',
		inputs: {},
		files: [],
		dialogueCount: 1,
		createdAt: 1705398420,
		newId: (kind) => {
			const count = (counts.get(kind) ?? 0) + 1;
			counts.set(kind, count);
			return `${short[kind] ?? kind}${count}`;
		},
		...over,
	};
}

/** The scripts of the three samples. */
export const SAMPLES = {
	agentChat: {
		steps: [
			{
				round: {
					chunks: ['Let me check. '],
					tool: {
						name: 'time',
						label: { en_US: 'Time' },
						input: '{"time": {"tz": "UTC"}}',
						observation: '{"time": "12:00"}',
					},
				},
			},
			{ round: { chunks: ['It is noon.'] } },
		],
		usage: { total_tokens: 42 },
	},
	chatflow: {
		steps: [
			{ node: { id: 'n1', type: 'start', title: 'Start' } },
			{ text: 'Hello', from: ['n2', 'text'] },
		],
		usage: { total_tokens: 20 },
		totalSteps: 3,
	},
	workflowFailure: {
		steps: [{ text: 'par', from: ['n2', 'text'] }],
		fail: 'boom',
		elapsed: 0.4,
		totalTokens: 0,
		totalSteps: 2,
	},
} satisfies Record<string, Script>;
