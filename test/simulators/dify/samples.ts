import type { DifyAppMode } from '../../../lib/dify/types';
import { Transcript } from './script';
import type { RunContext } from './script';
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

/** A run context with short IDs. */
export function sampleContext(mode: DifyAppMode): RunContext {
	let count = 0;
	return {
		mode,
		conversationId: 'c',
		messageId: 'm',
		taskId: 't',
		runId: 'r',
		workflowId: 'w',
		createdAt: 1705398420,
		newId: (kind) => `${kind}${++count}`,
	};
}

/** Scripts of an agent and of a chatflow. */
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
		steps: [{ node: { id: 'n1', type: 'start', title: 'Start' } }, { text: 'Hello' }],
		usage: { total_tokens: 20 },
		totalSteps: 3,
	},
} satisfies Record<string, Script>;
