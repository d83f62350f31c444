/**
 * Preloaded into Portkey's gateway: it sets headers of answers that `fetch` returned, which are immutable, and then
 * answers 500 to every stream and list (seen: 1.15.2 on Node 20 and 24).
 */
const fetchAnswer = globalThis.fetch;
// Its web framework replaces the global class.
const { Response } = globalThis;

/** @type {typeof fetchAnswer} */
const fetchMutable = async (input, init) => {
	const answer = await fetchAnswer(input, init);
	return new Response(answer.body, answer);
};
Object.assign(globalThis, { fetch: fetchMutable });
