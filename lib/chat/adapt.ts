/** What is changed of a request so that its server understands it. */
import { type KindName, kindOf } from '../servers/kinds';
import type { ModelAtServer } from '../servers/model-key';
import type { Connection } from '../http/connection';
import type { PreparedCall } from './prepare';
import { withoutControlTokens } from './request/control-tokens';
import { withoutIneffectiveOptions } from './request/ineffective-options';
import type { ChatSettings } from './request/request';
import { toolTemplate } from './request/tool-template';
import type { ChatRequest } from './types';
import { append } from '../values';

/** A request as its server understands it. */
export interface AdaptedRequest {
	request: ChatRequest;
	/** The model's chat template, if its server shows it. */
	template?: string;
	/** Notes on what was changed. */
	notes: string[];
}

type Adaptation = (connection: Connection, request: ChatRequest) => Changed | Promise<Changed>;

type Changed = Pick<AdaptedRequest, 'request' | 'notes'>;

/** In this order: each gets the request that the one before returned. */
function adaptationsFor({ controlTokens }: ChatSettings): Adaptation[] {
	const adaptations: Adaptation[] = [withoutIneffectiveOptions];
	if (controlTokens !== 'leave') adaptations.push(withoutControlTokens);
	return adaptations;
}

/** @param kind of the server */
export async function adaptRequest(
	{ connection, model }: ModelAtServer & { connection: Connection },
	kind: KindName,
	{ settings, draft }: PreparedCall,
): Promise<AdaptedRequest> {
	const drafted = draft.forServer(kind);
	const notes = [...drafted.notes];
	let request: ChatRequest = { ...drafted.request, model };
	for (const adapt of adaptationsFor(settings)) {
		const changed = await adapt(connection, request);
		request = changed.request;
		append(notes, changed.notes);
	}
	const { template, dropsTools } = await toolTemplate(connection, request);
	if (dropsTools) notes.push(kindOf(kind).words.toolsDropped);
	return { request, template, notes };
}
