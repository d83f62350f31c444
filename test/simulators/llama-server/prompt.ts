/** Renders the three chat templates of `test/fixtures/*.jinja` in code. */
import { invalidRequest, serverError } from './errors';
import { parseError } from './json';
import type { Settings } from './options';
import { spacedJson } from './text';

export interface ToolCall {
	id: string;
	name: string;
	arguments: string;
}

export interface ChatMessage {
	role: string;
	content: string;
	reasoning: string;
	calls: ToolCall[];
}

export interface PromptInput {
	messages: readonly ChatMessage[];
	tools: readonly unknown[];
	enableThinking: boolean;
	/** Whether the last message is of the assistant, and to be continued. */
	prefill: boolean;
}

export interface Prompt {
	text: string;
	/** The template's text at the end, from which the model continues. */
	generationPrompt: string;
}

type TemplateName = Settings['template'];

const parsedArguments = (call: ToolCall): unknown => {
	const problem = parseError(call.arguments);
	if (problem) throw serverError(`Failed to parse tool call arguments as JSON: ${problem}`);
	return JSON.parse(call.arguments);
};

const hermesCall = (call: ToolCall): string =>
	`\n<tool_call>\n{"name": "${call.name}", "arguments": ${spacedJson(parsedArguments(call))}}\n</tool_call>`;

const chatml = (input: PromptInput, thinking: boolean): Prompt => {
	let { messages } = input;
	let system = 'You are a helpful assistant.';
	if (messages[0]?.role === 'system') {
		system = messages[0].content;
		messages = messages.slice(1);
	}
	let text = `<|im_start|>system\n${system}`;
	if (input.tools.length > 0) {
		text += '\n\nCall functions when they help. Available functions:\n<tools>';
		text += input.tools.map((tool) => `\n${spacedJson(tool)}`).join('');
		text +=
			'\n</tools>\nAnswer a call as <tool_call>\n{"name": <name>, "arguments": <object>}\n</tool_call>';
	}
	text += '<|im_end|>\n';
	messages.forEach((message, index) => {
		const last = input.prefill && index === messages.length - 1;
		const end = last ? '' : '<|im_end|>\n';
		if (message.role === 'tool') {
			text += `<|im_start|>user\n<tool_response>\n${message.content}\n</tool_response>${end}`;
		} else if (message.role === 'assistant' && message.calls.length > 0) {
			text += '<|im_start|>assistant';
			if (message.content !== '') text += `\n${message.content}`;
			text += message.calls.map(hermesCall).join('') + end;
		} else {
			const thought =
				thinking && message.reasoning !== '' ? `<think>\n${message.reasoning}\n</think>\n\n` : '';
			text += `<|im_start|>${message.role}\n${thought}${message.content}${end}`;
		}
	});
	if (input.prefill) return { text, generationPrompt: '' };
	let generationPrompt = '<|im_start|>assistant\n';
	if (thinking) generationPrompt += input.enableThinking ? '<think>\n' : '<think>\n\n</think>\n\n';
	return { text: text + generationPrompt, generationPrompt };
};

/** Error as recorded with `strict.jinja`: the place in the template, then the template's message. */
const templateError = (place: string, excerpt: string, words: string): string =>
	[
		'Unable to generate parser for this template. Automatic parser generation failed: ',
		'------------',
		`While executing CallExpression at ${place} in source:`,
		excerpt,
		`${' '.repeat(43)}^`,
		`Error: Jinja Exception: ${words}`,
	].join('\n');
const REFUSED_ROLES = templateError(
	'line 6, column 32',
	"....user %}↵            {{- raise_exception('Conversation roles must alternate user...",
	'Conversation roles must alternate user/assistant/user/assistant/...',
);
const REFUSED_ID = templateError(
	'line 13, column 36',
	"...9 %}↵                {{- raise_exception('Tool call IDs should be alphanumeric s...",
	'Tool call IDs should be alphanumeric strings with length 9!',
);

const strict = ({ messages }: PromptInput): Prompt => {
	let user = true;
	let text = '';
	for (const { role, content, calls } of messages) {
		if (role === 'user' || (role === 'assistant' && calls.length === 0)) {
			if ((role === 'user') !== user) throw invalidRequest(REFUSED_ROLES);
			user = !user;
		}
		if (role === 'assistant' && calls.length > 0) {
			for (const call of calls) {
				if (call.id.length !== 9) throw invalidRequest(REFUSED_ID);
				const argumentsText = spacedJson(parsedArguments(call));
				text += `[TOOL_CALLS] [{"name": "${call.name}", "arguments": ${argumentsText}, "id": "${call.id}"}]</s>`;
			}
		} else if (role === 'tool') text += `[TOOL_RESULTS] {"content": "${content}"}[/TOOL_RESULTS]`;
		else if (role === 'assistant') text += ` ${content}</s>`;
		else text += `[INST] ${content} [/INST]`;
	}
	return { text, generationPrompt: '' };
};

export const renderPrompt = (template: TemplateName, input: PromptInput): Prompt => {
	// All arguments are parsed, even if the template does not render them.
	for (const { calls } of input.messages) calls.forEach(parsedArguments);
	return template === 'strict' ? strict(input) : chatml(input, template === 'thinking');
};

/**
 * The generated text as the template renders it in the next request. It is kept in the slot, so that an unchanged history
 * is found in the cache.
 */
export const renderGenerated = (template: TemplateName, message: ChatMessage): string => {
	const thought =
		template === 'thinking' && message.reasoning !== '' ? `${message.reasoning}\n</think>\n\n` : '';
	if (template === 'strict') return ` ${message.content}`;
	const calls = message.calls
		.map(
			({ name, arguments: text }) =>
				`\n<tool_call>\n{"name": "${name}", "arguments": ${text}}\n</tool_call>`,
		)
		.join('');
	return `${thought}${message.content}${message.content === '' ? calls.slice(1) : calls}`;
};

export const TEMPLATE_FILES: Record<TemplateName, string> = {
	chatml: 'chatml-tools.jinja',
	thinking: 'chatml-thinking.jinja',
	strict: 'strict.jinja',
};
