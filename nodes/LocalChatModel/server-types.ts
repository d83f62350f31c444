import type { IDisplayOptions } from 'n8n-workflow';

import { KINDS, type KindName } from '../../lib/servers/kinds';
import type { ServerKind } from '../../lib/servers/kinds/kind';

/** The kinds of server that can be chosen in the node. */
const SERVER_TYPES = [
	'llamaServer',
	'ollama',
	'vllm',
	'other',
] as const satisfies readonly KindName[];

/**
 * Shows a field for the server types that use it, and where the type is detected later.
 *
 * @param from place of the field: `/` in a collection, empty beside Server Type
 */
export function shownWhere(
	isTaken: (traits: ServerKind, type: KindName) => boolean,
	from: '' | '/' = '/',
): IDisplayOptions {
	return {
		show: {
			[`${from}serverType`]: ['auto', ...SERVER_TYPES.filter((type) => isTaken(KINDS[type], type))],
		},
	};
}
