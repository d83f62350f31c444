import { traitsOf } from '../../servers/kinds';
import type { ChatRequest } from '../types';
import { ollamaProtocol } from './ollama';
import { needsOwnApi } from './ollama-options';
import { openAiProtocol } from './openai';
import type { ChatProtocol } from './protocol';

/** Ollama's own API where the server has it and only that does what was asked for; else OpenAI's. */
export function protocolFor({ serverKind, parameters }: ChatRequest): ChatProtocol {
	return traitsOf(serverKind).hasOllamaApi === true && needsOwnApi(parameters) ? ollamaProtocol : openAiProtocol;
}
