import { ollamaEntries } from '../models';
import type { ServerAnswers } from './answers';
import { bodyOf, mayListAtTags, textIn } from './evidence';
import type { ServerKind } from './kind';
import { ollama } from './ollama';
import { openAiCompatible } from './openai-compatible';

/** A server with Ollama's own API and none of OpenAI's (LightRAG 1.5.7). It has one model, which it does not manage. */
export const lightRag: ServerKind = {
	...openAiCompatible,
	label: "LightRAG (Ollama's API only)",
	recognizes: (answers) => namesOf(answers) !== undefined,
	version: (answers) => textIn(answers, 'apiVersion', 'version'),
	// Its answers are Ollama's.
	signs: { passesOnOthers: true },
	chat: ollama.chat,
	models: {
		isSameName: ollama.models.isSameName,
		fromAnswers: (answers) => namesOf(answers)?.map((id) => ({ id, aliases: [] })),
	},
	embeddings: ollama.embeddings,
	rerank: { isMissing: true },
	health: { reports: 'models' },
};

function namesOf(answers: ServerAnswers): string[] | undefined {
	if (!mayListAtTags(answers)) return undefined;
	const entries = ollamaEntries(bodyOf(answers.tags));
	return entries && [...entries.keys()];
}
