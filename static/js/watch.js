// The log on the console page, which has its buttons and names who has a console open.
import "./console.js";
import "./log.js";
