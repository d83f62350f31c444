const IDEOGRAMS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const CHARACTERS_PER_TOKEN = 4;

/** Of a longer text, so many pieces of so many characters are looked at. */
const SAMPLES = 16;
const SAMPLE_LENGTH = 4_000;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	const ideograms = estimateIdeograms(text);
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}

/** Counting those of 20 MB would keep n8n from everything else for seconds. */
function estimateIdeograms(text: string): number {
	if (text.length <= SAMPLES * SAMPLE_LENGTH) return countIdeograms(text);
	const distance = Math.floor(text.length / SAMPLES);
	let seen = 0;
	for (let start = 0; start < distance * SAMPLES; start += distance)
		seen += countIdeograms(text.slice(start, start + SAMPLE_LENGTH));
	return Math.round((seen / (SAMPLES * SAMPLE_LENGTH)) * text.length);
}

function countIdeograms(text: string): number {
	return text.match(IDEOGRAMS)?.length ?? 0;
}
