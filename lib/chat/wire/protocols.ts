/** Which protocol a kind of server is asked by. */
import { type KindName, kindOf } from '../../servers/kinds';
import type { ChatRequest } from '../types';
import { ollamaProtocol } from './ollama';
import { needsNativeApi } from '../request/ollama-options';
import { openAiProtocol } from './openai';
import type { ChatProtocol } from './protocol';

export { openAiProtocol };

const NATIVE = { ollama: ollamaProtocol } as const;

/** The protocol that a kind has besides OpenAI's. */
export function nativeProtocolOf(kind: KindName): ChatProtocol | undefined {
	const { nativeProtocol } = kindOf(kind).chat;
	return nativeProtocol === undefined ? undefined : NATIVE[nativeProtocol];
}

/** The server's own protocol if it has one and the request needs it; else OpenAI's. */
export function protocolFor({ serverKind, parameters }: ChatRequest): ChatProtocol {
	const native = nativeProtocolOf(serverKind);
	return native !== undefined && needsNativeApi(parameters) ? native : openAiProtocol;
}
