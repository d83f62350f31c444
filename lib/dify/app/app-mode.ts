import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import type { DifyAppMode } from '../types';
import { nonEmptyText } from '../../values';

/** What Dify's interface calls an app of each mode, and the node that talks to it. */
const MODES: Readonly<Record<string, readonly [name: string, node: string]>> = {
	chat: ['a chatbot', 'Dify Chat Message'],
	'agent-chat': ['an agent', 'Dify Chat Message'],
	agent: ['an agent', 'Dify Chat Message'],
	'advanced-chat': ['a chatflow', 'Dify Chat Message'],
	completion: ['a text generator', 'Dify Apps'],
	workflow: ['a workflow', 'Dify Workflow'],
};

/**
 * Dify only says that the app is of another type, or unavailable (as for one that is not published). So the app is
 * asked for its type.
 *
 * @param wanted the mode that was asked for
 * @returns the failure with the type of the app and the node for it; any other failure as it is
 */
export async function explainAppType(
	client: DifyClient,
	error: unknown,
	wanted: DifyAppMode,
): Promise<unknown> {
	if (!(error instanceof ServerError)) return error;
	if (error.kind !== 'wrongAppType' && error.code !== 'app_unavailable') return error;
	const mode = await client.get('/info').then(
		(info) => nonEmptyText(info.mode),
		() => undefined,
	);
	const known = mode === undefined || mode === wanted ? undefined : MODES[mode];
	if (known === undefined) return error;
	const [name, node] = known;
	return error.reworded({
		kind: 'wrongAppType',
		facts: { ...error.facts, appMode: mode },
		message: `The app behind this key is ${name}`,
		remedy: `Use the node ${node} for it, or the key of another app.`,
	});
}
