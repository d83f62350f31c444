/** Types of apps, and the error of a key that belongs to another one than the request requires. */
import type { ServerError } from '../errors/server-error';
import { asNonEmptyString } from '../values/records';
import type { DifyAppMode } from './types';

/** A type of apps, and what users need to know of it. */
interface AppType {
	mode: DifyAppMode;
	/** As in Dify's interface, with its article. */
	name: string;
	/** The node for it. */
	node: string;
}

const APP_TYPES: readonly AppType[] = [
	{ mode: 'chat', name: 'a chatbot', node: 'Dify Chat Message' },
	{ mode: 'agent-chat', name: 'an agent', node: 'Dify Chat Message' },
	{ mode: 'agent', name: 'an agent', node: 'Dify Chat Message' },
	{ mode: 'advanced-chat', name: 'a chatflow', node: 'Dify Chat Message' },
	{ mode: 'completion', name: 'a text generator', node: 'Dify Apps' },
	{ mode: 'workflow', name: 'a workflow', node: 'Dify Workflow' },
];

/**
 * The type of an app.
 *
 * @param mode as in Dify's `GET /info`
 * @returns undefined for an unknown mode
 */
export function getAppType(mode: unknown): AppType | undefined {
	const name = asNonEmptyString(mode);
	return APP_TYPES.find((type) => type.mode === name);
}

/** The error with the type of the app and the node for it. */
export function toAppTypeError(error: ServerError, { mode, name, node }: AppType): ServerError {
	return error
		.asType('wrongAppType')
		.withFacts({ otherApp: { name, node } })
		.copyWith({ facts: { ...error.facts, appMode: mode } });
}
