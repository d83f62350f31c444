/** Questions for many chats at once, and the expected answers: each topic has another text, so that a mix-up shows. */

const TOPICS = ['alpha', 'beta', 'gamma', 'delta'];
const WORDS = 40;

/** @param {string} topic */
const answerTo = (topic) =>
	`${Array.from({ length: WORDS }, (_, word) => `${topic}${word} `).join('')}${topic}.`;

/** Replies of the scripted model. */
export const REPLIES = TOPICS.map((topic) => ({ contains: topic, reply: answerTo(topic) }));

/** @param {string} question */
export const answerOf = (question) =>
	answerTo(TOPICS.find((topic) => question.includes(topic)) ?? '');

/**
 * @param {number} count
 * @param {string[]} webhookIds used in turn
 * @param {string} [name] prefix that distinguishes these questions from others
 */
export const questions = (count, webhookIds, name = 'Question') =>
	Array.from({ length: count }, (_, index) => ({
		webhookId: /** @type {string} */ (webhookIds[index % webhookIds.length]),
		text: `${name} ${index}: tell me about ${TOPICS[Math.floor(index / webhookIds.length) % TOPICS.length]}.`,
	}));
