import { checkFiles, checkInputs } from './inputs';
import { DifyHttpError, invalid, notFound } from './http';
import { workflowBased } from './plain';
import type { Call } from './store';
import type { Json, SimConversation } from './types';

export const appUnavailable = () =>
	new DifyHttpError(
		400,
		'app_unavailable',
		'App unavailable, please check your app configurations.',
	);

export interface Prepared {
	conversation: SimConversation | undefined;
	inputs: Json;
	files: Json[];
	workflowId: string;
}

/** Checks before a run. */
export function prepare(
	call: Call,
	conversationId: string | undefined,
	version: string | undefined,
): Prepared {
	const { app, store, payload, user } = call;
	if (workflowBased(app.mode) && app.published === false) throw invalid('Workflow not published');
	if (!workflowBased(app.mode) && app.configured === false) throw appUnavailable();
	const workflowId = version ?? app.workflowId;
	if (workflowId !== app.workflowId && app.versions?.includes(workflowId) !== true)
		throw notFound(`Workflow not found with id: ${workflowId}`);
	const conversation =
		conversationId === undefined ? undefined : store.conversationOf(app, conversationId, user.id);
	if (conversationId !== undefined && conversation === undefined)
		throw notFound('Conversation Not Exists.');
	const files = checkFiles(store, app, user, payload.files);
	const inputs = checkInputs(store, app, user, payload.inputs as Json);
	return { conversation, files, inputs, workflowId };
}

/** A worker checks inputs and files of workflows, and reports failures as events (docs/protocols/dify.md 3.7). */
export function isReportedByWorker({ app }: Call, { message }: DifyHttpError): boolean {
	return workflowBased(app.mode) && !/^(?:Conversation Not Exists|Workflow not)/.test(message);
}
