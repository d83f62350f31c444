/** A turn with a scripted server. */
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ChatResult } from '../../../lib/chat/chat-result';
import type { ChatSettings } from '../../../lib/chat/settings';
import { runTurn } from '../../../lib/chat/turn';
import type { ServerError } from '../../../lib/errors/server-error';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { PLAIN_SETTINGS } from './chat-settings';
import { toInput } from '../../support/texts/messages';
import { NO_EXECUTION } from '../../support/n8n/node-host';

/** What differs from a turn that says "Hi". */
interface TurnDetails {
	settings?: Partial<ChatSettings>;
	chatRequest?: Partial<ChatRequest>;
	/** Default: one without a key at the URL. */
	server?: ModelServer;
}

/** What came of a turn. */
interface PlayedTurn {
	/** Undefined if the turn failed. */
	result: ChatResult | undefined;
	/** Undefined if it did not. */
	error: ServerError | undefined;
	/** What users saw, part by part. */
	shown: string[];
}

/** @param url - Of the scripted server. */
export async function playTurn(
	url: string,
	{
		settings,
		chatRequest,
		server = createModelServer({ baseUrl: url }, NO_EXECUTION),
	}: TurnDetails = {},
): Promise<PlayedTurn> {
	const shown: string[] = [];
	try {
		const result = await runTurn({
			server,
			settings: { ...PLAIN_SETTINGS, ...settings },
			chatRequest: { messages: [toInput({ type: 'human', content: 'Hi' })], ...chatRequest },
			onDelta: (delta) => void shown.push(delta),
		});
		return { result, error: undefined, shown };
	} catch (error) {
		return { result: undefined, error: asServerErrorOrThrow(error), shown };
	}
}
