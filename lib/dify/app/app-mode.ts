import { createServerError } from '../../errors/create-error';
import { ServerError } from '../../errors/server-error';
import { asNonEmptyString } from '../../values';
import type { DifyClient } from '../client';
import type { DifyAppMode } from '../types';

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
 * Dify only says that the app is of another type, or unavailable, also for one that is not published. So the app is
 * asked for its type.
 *
 * @param wanted a mode of the apps that were asked for; undefined: any
 * @returns the failure with what the app is and the node for it; any other failure as it is
 */
export async function explainAppTypeError(
	client: DifyClient,
	error: unknown,
	wanted?: DifyAppMode,
): Promise<unknown> {
	if (!(error instanceof ServerError)) return error;
	if (error.type !== 'wrongAppType' && error.type !== 'appUnavailable') return error;
	const info = await client.get('/info').catch(() => ({ mode: undefined }));
	const mode = asNonEmptyString(info.mode) ?? '';
	const [name, node] = MODES[mode] ?? [];
	if (node === undefined) return error;
	if (wanted !== undefined && node !== MODES[wanted]![1])
		return error.copyWith({
			type: 'wrongAppType',
			facts: { ...error.facts, appMode: mode },
			message: `This key belongs to ${name}`,
			suggestion: `Use the ${node} node for this app, or the key of another app.`,
		});
	return error.type === 'appUnavailable' ? ofUnavailable(error, mode) : error;
}

/** An app with a flow is unavailable until it is published. */
function ofUnavailable(error: ServerError, mode: string): ServerError {
	if (mode !== 'workflow' && mode !== 'advanced-chat') return error;
	const { message, suggestion } = createServerError('notPublished', { service: 'dify' });
	return error.copyWith({ type: 'notPublished', message, suggestion });
}
