import type { DifyAppMode, TextDelta } from '../../../lib/dify/types';
import type { DifySim, Reply, StreamKnobs } from '../../servers/dify';
import { clientOf, say, startApp } from './client';

export const ALL: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat'];

export async function startTalk(
	mode: DifyAppMode,
	reply: Reply,
	stream: StreamKnobs = {},
	over: object = {},
): Promise<DifySim> {
	return await startApp({ mode, reply: () => reply, ...over }, { stream });
}

/** What a live display shows at the end. */
export function screen(): {
	onDeltas: (deltas: TextDelta[]) => Promise<void>;
	shown: () => string;
} {
	let text = '';
	return {
		onDeltas: async (deltas) => {
			for (const delta of deltas) text = delta.type === 'append' ? text + delta.text : delta.text;
		},
		shown: () => text,
	};
}

export async function answerOf(mode: DifyAppMode, reply: Reply, stream: StreamKnobs = {}) {
	const sim = await startTalk(mode, reply, stream);
	const { onDeltas, shown } = screen();
	const { result } = await say(clientOf(sim, mode), {}, { onDeltas });
	return { sim, result, shown: shown() };
}
