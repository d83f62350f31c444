import type { ChatSettings } from '../../../lib/chat/types';

/** A model of the simulator with nothing set. */
export const PLAIN_SETTINGS: ChatSettings = {
	model: 'sim-model',
	parameters: {},
	reasoningEcho: 'toolTurns',
	showThinking: false,
	limits: {},
	retries: 0,
};
