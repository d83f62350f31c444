/** Request bodies of Ollama's native `/api/chat`. */
import { createServerError } from '../../errors/create-error';
import type { UntakenMedia } from '../../errors/issues';
import type { JsonRecord } from '../../values/records';
import { isNonEmpty, omitUndefined } from '../../values/records';
import { parseObject } from '../../values/json';
import { withoutTurnTokens } from './wire-texts';
import { selectCallableTools, toToolsField } from './wire-tools';
import { getMedia, getText } from '../content';
import type { MediaPart } from '../../files/read-file';
import type { CompletionRequest } from '../completion';
import type { ChatMessage } from '../chat-message';
import type { SamplingSettings } from '../settings';
import { ollama } from '../../servers/types/ollama';
import { buildOptionsAndFields } from './ollama-options';
import { toSentEffort } from './sampling-fields';

/** @throws {ServerError} of type `modalityUnsupported` for audio and video, and for images by URL */
export function toOllamaBody(draft: CompletionRequest): JsonRecord {
	const { model, messages, tools, toolChoice, sampling } = withoutTurnTokens(draft);
	const { options, fields } = buildOptionsAndFields(sampling);
	// There is no tool_choice: forbidden tools are not sent, and a forced tool is the only one sent.
	const callableTools = toolChoice === 'none' ? [] : selectCallableTools(tools, toolChoice);
	return {
		model,
		messages: messages.map(toWireMessage),
		...(callableTools.length === 0 ? {} : toToolsField(callableTools)),
		stream: true,
		...omitUndefined({
			format: getFormat(sampling),
			think: getThink(sampling),
			keep_alive: sampling.keepAlive,
			options: isNonEmpty(options) ? options : undefined,
		}),
		...fields,
	};
}

function getFormat({ responseFormat }: SamplingSettings): unknown {
	if (responseFormat?.type === 'jsonSchema') return responseFormat.schema;
	return responseFormat?.type === 'jsonObject' ? 'json' : undefined;
}

/** Thinking models think by default. Other models reject all values except false. */
function getThink({ thinking }: SamplingSettings): boolean | string | undefined {
	if (thinking?.mode === 'effort')
		return thinking.effort === 'none' ? false : toSentEffort({ thinking }, ollama).sent;
	return thinking?.mode === 'on' || thinking?.mode === 'off' ? thinking.mode === 'on' : undefined;
}

function toWireMessage(message: ChatMessage): JsonRecord {
	switch (message.role) {
		case 'assistant': {
			const { content, reasoning: thinking, toolCalls } = message;
			// JSON text in arguments returns a 400: "Value looks like object, but can't find closing '}' symbol".
			const tool_calls = toolCalls?.map(({ id, name, arguments: args }) => ({
				id,
				function: { name, arguments: parseObject(args) ?? {} },
			}));
			return { role: 'assistant', content, ...omitUndefined({ thinking, tool_calls }) };
		}
		case 'tool': {
			const { content, toolCallId: tool_call_id, name: tool_name } = message;
			return { role: 'tool', tool_name, tool_call_id, content };
		}
		default: {
			const images = getMedia(message.content).map(getImageBase64);
			const content = getText(message.content, '\n');
			return { role: message.role, content, ...(images.length === 0 ? {} : { images }) };
		}
	}
}

/** The base64 of a data URL; the URL itself returns a 400: "illegal base64 data at input byte 4". */
function getImageBase64(part: MediaPart) {
	if (part.type === 'audio') throw createMediaError('audio');
	const data = /^data:[^,]*;base64,(.*)$/s.exec(part.url)?.[1];
	if (data !== undefined) return data;
	throw createMediaError('imageUrl');
}

function createMediaError(untakenMedia: UntakenMedia) {
	return createServerError('modalityUnsupported', {}, { about: { untakenMedia } });
}
