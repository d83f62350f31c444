import { createResourceTable } from '../shared/items/operation-table';
import type { OperationTable } from '../shared/items/operation-table';
import { audioSpeak } from './audio/speak';
import { audioTranscribe } from './audio/transcribe';
import { imageAsk } from './image/ask';
import { imageEdit } from './image/edit-image';
import { imageGenerate } from './image/generate-image';
import { models } from './model';
import type { LocalLlamaOperation } from './run-local-llama';
import { textChat } from './text/chat';
import { textClassify } from './text/classify';
import { textComplete } from './text/complete';
import { textDecide } from './text/decide';
import { textExtract } from './text/extract';
import { vectorEmbed } from './vector/embed';
import { vectorRerank } from './vector/rerank';

/** Resources and operations of the node. */
export const operations: OperationTable<LocalLlamaOperation> = createResourceTable([
	{
		name: 'Text',
		value: 'text',
		operations: [textChat, textExtract, textClassify, textDecide, textComplete],
	},
	{
		name: 'Vector',
		value: 'vector',
		description: 'Create embeddings, and rank documents by relevance',
		operations: [vectorEmbed, vectorRerank],
	},
	{
		name: 'Image',
		value: 'image',
		operations: [imageAsk, imageGenerate, imageEdit],
		defaultOperation: 'generate',
	},
	{
		name: 'Audio',
		value: 'audio',
		operations: [audioTranscribe, audioSpeak],
	},
	models,
]);
