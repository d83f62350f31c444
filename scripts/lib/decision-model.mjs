/**
 * Makes a decision model for llama-server of any chat model in llama's architecture: two entries more in its GGUF file.
 * The server then reads its letters as the options of a question (type `openjev` in tools/server/server-decision.cpp).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { ALIGNMENT, encodePair } from './gguf.mjs';

/** Magic number, version, number of tensors, number of entries. */
const HEAD_BYTES = 24;
const ENTRIES_AT = 16;

/** The prompt of one question, in ChatML. The answer is read at its last token. */
const PROMPT = `<|im_start|>system
You read a text and answer a question about it with the letter of one option only.<|im_end|>
<|im_start|>user
{% for image in images %}{{ image }}{% endfor %}{{ state if state is string else state | tojson }}

{{ instructions if instructions is string else instructions | tojson }}
{% for option in options %}{{ option.label }}: {{ option.key }}{% if option.description %} - {{ option.description if option.description is string else option.description | tojson }}{% endif %}
{% endfor %}<|im_end|>
<|im_start|>assistant
`;

/**
 * Writes a copy of a model that answers at `/v1/systemone`.
 *
 * @param {string} source GGUF file of a chat model in the architecture `llama`, with ChatML
 * @param {string} target
 */
export const writeDecisionModel = (source, target) => {
	const model = readFileSync(source);
	const head = Buffer.from(model.subarray(0, HEAD_BYTES));
	head.writeBigUInt64LE(head.readBigUInt64LE(ENTRIES_AT) + 2n, ENTRIES_AT);
	const kind = encodePair('llama.decision.type', { string: 'openjev' });
	const prompt = (/** @type {number} */ blanks) =>
		encodePair('tokenizer.chat_template.systemone', {
			string: `{#${' '.repeat(blanks)}#}${PROMPT}`,
		});
	// Entries of a multiple of the alignment leave the tensors after them aligned.
	const blanks = ALIGNMENT - ((kind.length + prompt(0).length) % ALIGNMENT);
	writeFileSync(target, Buffer.concat([head, kind, prompt(blanks), model.subarray(HEAD_BYTES)]));
};
