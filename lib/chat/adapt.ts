/** What is changed of a request so that its server understands it. */
import { type KindName, kindOf } from '../servers/kinds';
import type { ModelAtServer } from '../servers/model-key';
import type { Connection } from '../http/connection';
import type { PreparedCall } from './prepare';
import { withoutControlTokens } from './request/control-tokens';
import { toolTemplate } from './request/tool-template';
import type { ChatRequest } from './types';

/** A request as its server understands it. */
export interface AdaptedRequest {
	request: ChatRequest;
	/** The model's chat template, if its server shows it. */
	template?: string;
	/** Notes on what was changed. */
	notes: string[];
}

/** @param kind of the server */
export async function adaptRequest(
	{ connection, model }: ModelAtServer & { connection: Connection },
	kind: KindName,
	{ draft }: PreparedCall,
): Promise<AdaptedRequest> {
	const drafted = draft.forServer(kind);
	const changed = await withoutControlTokens({ ...drafted.request, model });
	const { request } = changed;
	const notes = [...drafted.notes, ...changed.notes];
	const { template, dropsTools } = await toolTemplate(connection, request);
	if (dropsTools) notes.push(kindOf(kind).words.toolsDropped);
	return { request, template, notes };
}
