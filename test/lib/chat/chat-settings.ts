import type { ChatSettings } from '../../../lib/chat/settings';

/** A model of the simulator with nothing set. */
export const PLAIN_SETTINGS: ChatSettings = {
	model: 'sim-model',
	sampling: {},
	thinkingHistory: 'toolTurns',
	showThinking: false,
	timeouts: {},
	retries: 0,
};
