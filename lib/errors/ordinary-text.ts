/** Tells parts of a key that occur in any text from those that only the key has. */

/**
 * Whether a part of a key is ordinary text: one word, the name of a model or a product, the beginning of an address, or one
 * character repeated. Other parts with a digit or a sign are the key's, even if they are words that signs join.
 */
export function isOrdinaryText(part: string): boolean {
	const text = part.replace(ADDRESS, '');
	const name = text.replace(/^[-_.:/]/, '').replace(/[-_.:/]$/, '');
	return isWord(name) || isOneCharacter(name) || PRODUCT.test(name) || isModelName(name);
}

/** The beginning of an address, and of a header. */
const ADDRESS = /^[a-z]{0,8}:\/\/(?:www\.|localhost\b|127\.0\.0\.1\b)?|^(?:Bearer|Basic) ?$/;

function isOneCharacter(text: string) {
	return text.replaceAll(text.charAt(0), '') === '';
}

/** Names that the texts of this package and of servers are full of. */
const PRODUCT =
	/^(?:local-llama|llama[-_.](?:server|swap|cpp)|lm[-_]studio|open[-_]webui|open[-_]ai|n8n-nodes(?:-local(?:-llama)?)?|whisper-server|openai-compatible|x-api-key|api[-_]key|access[-_]token|chat-completions)$/i;

/** Letters of one word. A capital within a word is not of a word. */
const WORD = /^(?:\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]*|\p{Lu}+)$/u;

/**
 * Pairs of letters that hardly a word of a European language has, and no transcription either. Counted in the words of
 * the documentation of 3,000 packages; common pairs of other languages were left out.
 */
const RARE_PAIR =
	/b[qxz]|c[gvx]|d[qx]|f[hjqvwxz]|g[jqx]|h[cjqvxz]|j[bcfgpqrvwxyz]|k[qx]|l[qx]|m[ghqvxz]|oq|p[jqvwxz]|q[bcdfghjklmnpqrstvwxyz]|r[qx]|sx|t[jqx]|u[jq]|v[bhjkpqtwxz]|w[gjqvxz]|x[bdfgjkmnrvwxz]|y[jqvxy]|z[cdfgjnpqrvx]/i;

/** More consonants in a row than a word has. */
const CONSONANTS = /[bcdfghjklmnpqrstvwxz]{6}/i;

/** Letters that can be pronounced, of which random ones are rarely made. */
function isWord(text: string) {
	return WORD.test(text) && !RARE_PAIR.test(text) && !CONSONANTS.test(text);
}

/**
 * Whether a name is that of a model: "llama-3.1-8b", "Qwen2.5-7B". Its family must be known, since any other word with
 * versions and sizes could be the key's.
 */
function isModelName(name: string) {
	const [family = '', ...versions] = name.split(/[-_.:]/);
	return FAMILY.test(family) && versions.every((version) => VERSION.test(version));
}

/** Families of models, with the number of a version. */
const FAMILY =
	/^(?:deepseek|devstral|falcon|gemma|glm|gpt|granite|kimi|llama|magistral|ministral|mistral|mixtral|phi|qwen|smollm|whisper)\d?$/i;

/** Versions, sizes and purposes in the name of a model. */
const VERSION =
	/^(?:[vr]?\d{1,2}|\d{1,3}[bm]|oss|instruct|chat|coder|embed|large|medium|small|mini|turbo|it)?$/i;
