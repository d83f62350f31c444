/** Settings of `ChatClient` that every bench of the chat path uses. */
export const CHAT_SETTINGS = {
	reasoningEcho: 'toolTurns',
	showThinking: false,
	limits: {},
	retries: 0,
};
