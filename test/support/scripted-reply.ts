/** What the model of scripted-model.mjs answers; the first reply whose conditions hold is used. */
export interface ScriptedReply {
	/** Condition: role of the last message. */
	last?: 'user' | 'tool';
	/** Condition: the last message contains this text. */
	contains?: string;
	reply: string;
}
