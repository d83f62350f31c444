import type { DifyAppMode, TextDelta } from '../../../lib/dify/types';
import type { DifySim, Reply, SimVersion, StreamKnobs } from '../../servers/dify';
import { clientOf, say, startApp } from './client';

export const ALL: DifyAppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat'];
export const modesOf = (version: SimVersion) =>
	version === '1.12' ? ALL.filter((mode) => mode !== 'agent') : ALL;
/** The New Agent of 1.14 sends its whole answer as one event, and no task ID before it: nobody can stop it. */
export const piecemeal = (version: SimVersion) =>
	modesOf(version).filter((mode) => mode !== 'agent' || version !== '1.14');

export async function startTalk(
	version: SimVersion,
	mode: DifyAppMode,
	reply: Reply,
	stream: StreamKnobs = {},
	over: object = {},
): Promise<DifySim> {
	return await startApp(version, { mode, reply: () => reply, ...over }, { stream });
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

export async function answerOf(
	version: SimVersion,
	mode: DifyAppMode,
	reply: Reply,
	stream: StreamKnobs = {},
) {
	const sim = await startTalk(version, mode, reply, stream);
	const { onDeltas, shown } = screen();
	const { result } = await say(clientOf(sim, mode), {}, { onDeltas });
	return { sim, result, shown: shown() };
}
