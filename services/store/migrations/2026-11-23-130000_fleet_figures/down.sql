DROP TABLE fleet_figures, installation;
